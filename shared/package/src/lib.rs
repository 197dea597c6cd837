//! countersign-package

pub mod append;
pub mod gate;
pub mod limits;
pub mod source;
