"""What people type: forms, fields and validators; they ask the domain and restate no rule of it."""
