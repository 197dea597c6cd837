//! countersign-signer
