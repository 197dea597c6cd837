//! countersign-objects
