output "queue_url" {
  description = "Queue that tells the signers of drops."
  value       = aws_sqs_queue.notifications.url
}

output "dead_letter_queue_url" {
  description = "Queue with the notifications that nobody could handle. Its length should be 0."
  value       = aws_sqs_queue.dead_letters.url
}

output "policy_arns" {
  description = "Policies of signer, deployer and uploader, to be attached to roles made elsewhere."
  value       = { for name, policy in aws_iam_policy.this : name => policy.arn }
}

output "countersign_toml" {
  description = "The part of countersign.toml that follows from this module: terraform output -raw countersign_toml"
  value = templatefile("${path.module}/countersign.toml.tftpl", {
    region      = data.aws_region.current.name
    account     = data.aws_caller_identity.current.account_id
    queue_url   = aws_sqs_queue.notifications.url
    source      = var.source_bucket
    destination = var.destination_bucket
    functions   = var.lambda_functions
    role        = var.lambda_execution_role_arn
  })
}
