//! Finding and introducing: the rendezvous server.
