//! Why a driver cannot start.

use std::io;
use std::net::SocketAddr;

/// Nothing runs, and nothing stays bound. Each message is a whole sentence for the person who chose the address.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Another program holds the port.
    #[error("UDP address {address} is already in use by another program.")]
    AddressInUse {
        /// Which.
        address: SocketAddr,
    },
    /// No interface of this computer has the address, or its family is switched off.
    #[error("This computer does not have the address {address}.")]
    NoSuchAddress {
        /// Which.
        address: SocketAddr,
    },
    /// Ports below 1024 often need rights.
    #[error("This program may not use UDP address {address}; ports below 1024 need an administrator.")]
    NotAllowed {
        /// Which.
        address: SocketAddr,
    },
    /// Something else at this address.
    #[error("UDP address {address} cannot be used: {cause}.")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The list of addresses is empty.
    #[error("There is no address to listen on.")]
    NoAddress,
    /// Called outside a tokio runtime. A bug on our side.
    #[error("The network cannot start outside its event loop.")]
    NoRuntime,
    /// The driver no longer runs.
    #[error("The network no longer runs.")]
    Stopped,
}

impl DriverError {
    /// Sorts what the system said of binding `address` by what a person can do about it.
    pub(super) fn from_bind(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address },
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress { address },
            io::ErrorKind::PermissionDenied => Self::NotAllowed { address },
            _ => Self::Bind { address, cause: source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_apart_from_a_missing_address() {
        let address: SocketAddr = "127.0.0.1:1935".parse().unwrap();
        let taken = DriverError::from_bind(address, io::ErrorKind::AddrInUse.into());
        assert_eq!(taken.to_string(), "UDP address 127.0.0.1:1935 is already in use by another program.");
        let missing = DriverError::from_bind(address, io::ErrorKind::AddrNotAvailable.into());
        assert!(matches!(missing, DriverError::NoSuchAddress { .. }));
    }
}
