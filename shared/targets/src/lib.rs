//! countersign-targets
