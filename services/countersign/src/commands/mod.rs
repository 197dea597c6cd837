//! One module a command: its arguments and what it does.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod profile;
pub(crate) mod queue;
pub(crate) mod revoke;
pub(crate) mod sign;
pub(crate) mod strip;
pub(crate) mod submit;
pub(crate) mod up;
pub(crate) mod verify;
