"""Tests of the repository itself: its layout, its lock, its documents, its containers."""
