"""Pages and components used by both areas."""
