"""Connector for Vietnam Post behind NGSP."""
