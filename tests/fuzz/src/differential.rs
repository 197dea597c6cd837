//! The gate beside other readers.

use countersign_package::gate::Archive;

use crate::limits;
use crate::readers::check_agreement;

/// Whatever the gate accepts, other readers see alike: names in their order, kinds, modes, sizes, bodies, comment.
pub fn differential(data: &[u8]) {
    if let Ok(archive) = Archive::parse(data, &limits()) {
        check_agreement(&archive, data);
    }
}
