"""Large media by upload."""
