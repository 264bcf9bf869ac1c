"""Measurements, and the compiled build: never imported by the product."""
