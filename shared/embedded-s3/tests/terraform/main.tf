# What a user of the AWS provider does with buckets and objects, changed between runs by the variables.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "change" { type = string }
variable "versioning" { type = string }

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    s3 = var.endpoint
  }

  default_tags {
    tags = { managed = "by terraform" }
  }
}

resource "aws_s3_bucket" "source" {
  bucket        = "tf-source"
  force_destroy = true
  tags          = { change = var.change }
}

resource "aws_s3_bucket_versioning" "source" {
  bucket = aws_s3_bucket.source.id
  versioning_configuration {
    status = var.versioning
  }
}

resource "aws_s3_bucket_public_access_block" "source" {
  bucket                  = aws_s3_bucket.source.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = var.change == "first"
}

resource "aws_s3_bucket_ownership_controls" "source" {
  bucket = aws_s3_bucket.source.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_notification" "source" {
  bucket      = aws_s3_bucket.source.id
  eventbridge = true
}

resource "aws_s3_object" "package" {
  bucket  = aws_s3_bucket_versioning.source.bucket
  key     = "fn a+b/package.zip"
  content = "package ${var.change}"
  etag    = md5("package ${var.change}")
  tags    = { change = var.change }
}

# Plain: no versions, no tags of its own, and emptied by hand before it goes.
resource "aws_s3_bucket" "plain" {
  bucket = "tf-plain"
}

resource "aws_s3_object" "plain" {
  bucket  = aws_s3_bucket.plain.id
  key     = "plain"
  content = "the same"
  etag    = md5("the same")
}

data "aws_s3_object" "package" {
  bucket = aws_s3_object.package.bucket
  key    = aws_s3_object.package.key
}

output "version" { value = aws_s3_object.package.version_id }
output "read" { value = data.aws_s3_object.package.version_id }
