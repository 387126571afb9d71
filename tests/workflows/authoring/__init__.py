"""Tests of journeys that are code."""
