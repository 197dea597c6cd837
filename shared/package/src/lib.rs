//! countersign-package
