//! The gate on zips that are almost right.

use arbitrary::{Result, Unstructured};
use countersign_package::gate::Archive;

use crate::grammar::packages;
use crate::readers::check_agreement;
use crate::{edits, limits};

/// The input says which zip an honest writer makes and what is done to it.
///
/// - The gate accepts the honest zip.
/// - Whatever else it accepts, other readers see alike.
pub fn structure(data: &[u8]) {
    // An input that ends early says nothing more.
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut zip = packages(u)?;
    let edits = u.int_in_range(0..=4)?;
    for _ in 0..edits {
        edits::edit(&mut zip, u)?;
    }
    let bytes = if edits == 0 { zip.build() } else { edits::edit_bytes(zip.build(), u)? };
    match Archive::parse(&bytes, &limits()) {
        Ok(archive) => check_agreement(&archive, &bytes),
        Err(error) => assert!(edits > 0, "an honest zip is refused: {error}"),
    }
    Ok(())
}
