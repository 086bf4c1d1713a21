"""Sensors for what a source system delivers."""
