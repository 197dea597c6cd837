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
  value       = <<-TOML
    region = "${data.aws_region.current.name}"
    account = "${data.aws_caller_identity.current.account_id}"

    [[trigger]]
    kind = "sqs"
    queue_url = "${aws_sqs_queue.notifications.url}"

    [[route]]
    source = "s3://${var.source_bucket}/"
    profile = "default"
    destination = "s3://${var.destination_bucket}/"
    deploy = { function = "{segment}", alias = "live", create = true, code_signing_config = "default" }

    [[code_signing_config]]
    name = "default"
    allowed_publishers = ["default"]
    untrusted_artifact = "Enforce"
    %{~if length(var.lambda_functions) > 0}

    [[target]]
    name = "lambda"
    kind = "lambda"
    %{~if var.lambda_execution_role_arn != ""}
    role = "${var.lambda_execution_role_arn}"
    runtime = "provided.al2023"
    handler = "bootstrap"
    %{~endif}
    %{~endif}
  TOML
}
