//! countersign-deployer
