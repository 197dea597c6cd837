# What each service may do, as ../iam explains it. The two never share a role: whoever deploys must not be able to sign.

locals {
  source_arn      = aws_s3_bucket.this["source"].arn
  destination_arn = aws_s3_bucket.this["destination"].arn
}

data "aws_iam_policy_document" "signer" {
  statement {
    sid       = "SeeTheBuckets"
    actions   = ["s3:ListBucket", "s3:GetBucketVersioning"]
    resources = [local.source_arn, local.destination_arn]
  }
  statement {
    sid       = "SweepForDrops"
    actions   = ["s3:ListBucketVersions"]
    resources = [local.source_arn]
  }
  statement {
    sid       = "ReadDropsAndWhatItSigned"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.source_arn}/*", "${local.destination_arn}/*"]
  }
  statement {
    sid       = "Publish"
    actions   = ["s3:PutObject"]
    resources = ["${local.destination_arn}/*"]
  }
  statement {
    sid       = "ReceiveNotifications"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.notifications.arn]
  }
  statement {
    sid       = "PutAsideWhatIsNoNotification"
    actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }
  dynamic "statement" {
    for_each = var.kms_key_arn != "" ? [var.kms_key_arn] : []
    content {
      sid       = "EncryptObjects"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "deployer" {
  statement {
    sid       = "SeeTheBucket"
    actions   = ["s3:ListBucket"]
    resources = [local.destination_arn]
  }
  statement {
    sid       = "ReadPackages"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.destination_arn}/*"]
  }
  dynamic "statement" {
    for_each = length(var.lambda_functions) > 0 ? [var.lambda_functions] : []
    content {
      sid = "Deploy"
      actions = [
        "lambda:GetFunctionConfiguration",
        "lambda:ListVersionsByFunction",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
        "lambda:GetAlias",
        "lambda:CreateAlias",
        "lambda:UpdateAlias",
      ]
      resources = statement.value
    }
  }
  dynamic "statement" {
    for_each = var.lambda_execution_role_arn != "" ? [var.lambda_functions] : []
    content {
      sid       = "MakeFunctions"
      actions   = ["lambda:CreateFunction"]
      resources = statement.value
    }
  }
  dynamic "statement" {
    for_each = var.lambda_execution_role_arn != "" ? [var.lambda_execution_role_arn] : []
    content {
      sid       = "HandOverTheirRole"
      actions   = ["iam:PassRole"]
      resources = [statement.value]
      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["lambda.amazonaws.com"]
      }
    }
  }
  dynamic "statement" {
    for_each = var.kms_key_arn != "" ? [var.kms_key_arn] : []
    content {
      sid       = "DecryptObjects"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "uploader" {
  statement {
    sid       = "Drop"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.source_arn}/*"]
  }
  dynamic "statement" {
    for_each = var.kms_key_arn != "" ? [var.kms_key_arn] : []
    content {
      sid       = "EncryptObjects"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

locals {
  policies = {
    signer   = data.aws_iam_policy_document.signer.json
    deployer = data.aws_iam_policy_document.deployer.json
    uploader = data.aws_iam_policy_document.uploader.json
  }
  attachments = merge(
    { for role in var.signer_roles : "signer/${role}" => { policy = "signer", role = role } },
    { for role in var.deployer_roles : "deployer/${role}" => { policy = "deployer", role = role } },
    { for role in var.uploader_roles : "uploader/${role}" => { policy = "uploader", role = role } },
  )
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name        = "${var.name}-${each.key}"
  description = "What the ${each.key} of Countersign may do"
  policy      = each.value
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(setintersection(var.signer_roles, var.deployer_roles)) == 0
      error_message = "A role is among signer_roles and deployer_roles: whoever deploys must not be able to sign."
    }
    precondition {
      condition     = var.lambda_execution_role_arn == "" || length(var.lambda_functions) > 0
      error_message = "lambda_execution_role_arn has no effect without lambda_functions."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attachments

  role       = each.value.role
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}
