variable "name" {
  description = "The bucket's name."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the objects; null: S3's own, which a bucket of access logs needs."
  type        = string
  default     = null
}

variable "log_bucket" {
  description = "Name of the bucket that gets the access logs; null: none are kept."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Let `destroy` delete a bucket that is not empty."
  type        = bool
}

variable "enable_lifecycle_rules" {
  description = "Expire old versions, unfinished uploads and, with expire_after_days, objects."
  type        = bool
}

variable "expire_after_days" {
  description = "Days after which objects expire; null: never."
  type        = number
  default     = null
}

variable "further_statements" {
  description = "Statements of the bucket's policy beside the one that asks for TLS."
  type        = any
  default     = []
}
