# Two buckets, the queue and the policies for two roles that are there already:
#   terraform init && terraform apply
#   terraform output -raw countersign_toml
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "account" {
  description = "The account that the functions are in."
  type        = string
}

module "countersign" {
  source = "../"

  source_bucket      = "example-unsigned"
  destination_bucket = "example-signed"

  signer_roles   = ["countersign-signer"]
  deployer_roles = ["countersign-deployer"]
  uploader_roles = ["ci"]

  lambda_functions          = ["arn:aws:lambda:${var.region}:${var.account}:function:*"]
  lambda_execution_role_arn = "arn:aws:iam::${var.account}:role/functions"

  tags = { application = "countersign" }
}

output "countersign_toml" {
  value = module.countersign.countersign_toml
}
