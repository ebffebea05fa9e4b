//! The cryptography profile of RFC 7425 §4.
