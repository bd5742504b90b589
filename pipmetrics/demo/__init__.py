"""A complete small organisation on this machine, and local stand-ins for the three services that serve it over HTTP."""
