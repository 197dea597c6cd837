//! countersign-ports
