//! countersign-policy
