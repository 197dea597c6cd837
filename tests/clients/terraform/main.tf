# What a user of the AWS provider does with signing and functions, changed between runs by the variables.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "change" { type = string }
variable "unsigned" { type = string } # a zip on this machine
variable "layer" { type = string }    # another one

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    s3     = var.endpoint
    signer = var.endpoint
    lambda = var.endpoint
  }
}

locals {
  role = "arn:aws:iam::000000000000:role/tf"
}

resource "aws_s3_bucket" "packages" {
  bucket        = "tf-packages"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "packages" {
  bucket = aws_s3_bucket.packages.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "unsigned" {
  bucket = aws_s3_bucket_versioning.packages.bucket
  key    = "unsigned/package.zip"
  source = var.unsigned
  etag   = filemd5(var.unsigned)
}

# Signing.

resource "aws_signer_signing_profile" "release" {
  name        = "tf_release"
  platform_id = "AWSLambda-SHA384-ECDSA"
  signature_validity_period {
    value = 5
    type  = "YEARS"
  }
  tags = { change = var.change }
}

resource "aws_signer_signing_profile_permission" "partner" {
  profile_name = aws_signer_signing_profile.release.name
  action       = "signer:StartSigningJob"
  principal    = "111122223333"
  statement_id = "partner-${var.change}"
}

resource "aws_signer_signing_profile_permission" "reader" {
  profile_name    = aws_signer_signing_profile.release.name
  profile_version = aws_signer_signing_profile.release.version
  action          = "signer:GetSigningProfile"
  principal       = "111122223333"
  statement_id    = "reader"
}

resource "aws_signer_signing_job" "package" {
  profile_name = aws_signer_signing_profile.release.name
  source {
    s3 {
      bucket  = aws_s3_object.unsigned.bucket
      key     = aws_s3_object.unsigned.key
      version = aws_s3_object.unsigned.version_id
    }
  }
  destination {
    s3 {
      bucket = aws_s3_bucket.packages.bucket
      prefix = "signed/"
    }
  }
}

# Whom functions trust.

resource "aws_lambda_code_signing_config" "enforced" {
  description = "of the run ${var.change}"
  allowed_publishers {
    signing_profile_version_arns = [aws_signer_signing_profile.release.version_arn]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
  tags = { change = var.change }
}

# Functions.

resource "aws_lambda_function" "from_s3" {
  function_name           = "tf-from-s3"
  role                    = local.role
  runtime                 = "python3.13"
  handler                 = "handler.handler"
  s3_bucket               = aws_signer_signing_job.package.signed_object[0].s3[0].bucket
  s3_key                  = aws_signer_signing_job.package.signed_object[0].s3[0].key
  code_signing_config_arn = aws_lambda_code_signing_config.enforced.arn
  description             = "of the run ${var.change}"
  publish                 = true
}

resource "aws_lambda_function" "from_file" {
  function_name    = "tf-from-file"
  role             = local.role
  runtime          = "python3.13"
  handler          = "handler.handler"
  filename         = var.unsigned
  source_code_hash = filebase64sha256(var.unsigned)
  layers           = [aws_lambda_layer_version.library.arn]
  memory_size      = 256
  timeout          = 10
  publish          = true
  tags             = { change = var.change }
  environment {
    variables = { CHANGE = var.change }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "of the run ${var.change}"
  function_name    = aws_lambda_function.from_s3.function_name
  function_version = aws_lambda_function.from_s3.version
}

resource "aws_lambda_layer_version" "library" {
  layer_name          = "tf-library"
  filename            = var.layer
  source_code_hash    = filebase64sha256(var.layer)
  compatible_runtimes = ["python3.13"]
  description         = "a library"
}

resource "aws_lambda_layer_version_permission" "everyone" {
  layer_name     = aws_lambda_layer_version.library.layer_name
  version_number = aws_lambda_layer_version.library.version
  statement_id   = "everyone"
  action         = "lambda:GetLayerVersion"
  principal      = "*"
}

output "signed_by" {
  value = {
    profile  = aws_lambda_function.from_s3.signing_profile_version_arn
    job      = aws_lambda_function.from_s3.signing_job_arn
    version  = aws_lambda_function.from_s3.version
    alias    = aws_lambda_alias.live.function_version
    expected = aws_signer_signing_profile.release.version_arn
  }
}
