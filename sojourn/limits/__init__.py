"""Arithmetic of limits, without clock, input or output."""
