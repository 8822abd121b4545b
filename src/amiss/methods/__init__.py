"""The methods behind one contract."""
