"""Forms, fields and validators; business rules stay in the domain."""
