//! countersign-embedded-s3
