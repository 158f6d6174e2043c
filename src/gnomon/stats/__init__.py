"""Statistics: intervals, paired tests, calibration."""
