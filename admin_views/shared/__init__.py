"""Pages and parts used by both areas: notifications, licence and request details, issued files."""
