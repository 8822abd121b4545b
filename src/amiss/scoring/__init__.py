"""From region scores to calibrated curves and events."""
