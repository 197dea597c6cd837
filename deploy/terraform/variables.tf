variable "name" {
  description = "Name of the queue and prefix of the policies."
  type        = string
  default     = "countersign"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "Use 1 to 64 letters, digits, hyphens or underscores."
  }
}

variable "source_bucket" {
  description = "Bucket that packages are dropped into."
  type        = string
}

variable "destination_bucket" {
  description = "Bucket for signed packages. Not the source bucket: what is signed must not come back as a drop."
  type        = string
}

variable "signer_roles" {
  description = "Names of the IAM roles that the signers run as."
  type        = set(string)
  default     = []
}

variable "deployer_roles" {
  description = "Names of the IAM roles that the deployers run as. None of them may be among the signers'."
  type        = set(string)
  default     = []
}

variable "uploader_roles" {
  description = "Names of the IAM roles that drop packages, such as that of continuous integration."
  type        = set(string)
  default     = []
}

variable "lambda_functions" {
  description = "ARNs of the functions that the deployers may deploy; a pattern such as arn:aws:lambda:REGION:ACCOUNT:function:app-* keeps them to their own. Empty where no function of Lambda is a target."
  type        = list(string)
  default     = []
}

variable "lambda_execution_role_arn" {
  description = "Execution role of functions that the deployers make. Empty: they make none, and may pass no role."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the objects. Empty: keys managed by S3. The queue is always encrypted by SQS itself, because S3 cannot notify through a key without a policy of its own."
  type        = string
  default     = ""
}

variable "noncurrent_version_days" {
  description = "Days after which versions of drops that were overwritten or deleted are removed. They must outlast the time in which a drop may still be signed."
  type        = number
  default     = 90
}

variable "max_receive_count" {
  description = "Deliveries after which a notification becomes a dead letter."
  type        = number
  default     = 5
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete buckets with packages in them. For trials."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

variable "require_tls" {
  description = "Refuse plain HTTP. Turn off for LocalStack alone."
  type        = bool
  default     = true
}
