"""Evaluations -> what people read. One digest model; each format renders it and computes nothing."""
