"""What tests of analytics use."""
