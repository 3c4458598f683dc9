"""Tests of the arrangements of lists."""
