variable "vpc_cidr" {
  description = "Address range of the VPC."
  type        = string
  default     = "10.71.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(cidrhost(var.vpc_cidr, 0) == split("/", var.vpc_cidr)[0], false)
    error_message = "vpc_cidr is \"${var.vpc_cidr}\": use a network address in CIDR notation such as 10.71.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "vpc_cidr is \"${var.vpc_cidr}\": AWS takes no more than a /16, and five subnets need at least a /24."
  }
}

variable "subnets" {
  description = "Address range of each subnet, in availability zones a, b and c. private_c exists only for Redshift Serverless, which asks for three zones."
  type = object({
    public_a  = optional(string, "10.71.0.0/20")
    private_a = optional(string, "10.71.16.0/20")
    public_b  = optional(string, "10.71.32.0/20")
    private_b = optional(string, "10.71.48.0/20")
    private_c = optional(string, "10.71.64.0/20")
  })
  default = {}

  validation {
    condition     = alltrue([for cidr in values(var.subnets) : try(cidrhost(cidr, 0) == split("/", cidr)[0], false)])
    error_message = "subnets has a range that is no network address: use CIDR notation such as 10.71.16.0/20."
  }

  # The shorter prefix of two decides: within it, two networks are either the same or apart.
  validation {
    condition = alltrue([
      for cidr in values(var.subnets) : try(
        tonumber(split("/", cidr)[1]) >= tonumber(split("/", var.vpc_cidr)[1]) &&
        cidrhost("${split("/", cidr)[0]}/${split("/", var.vpc_cidr)[1]}", 0) == cidrhost(var.vpc_cidr, 0),
        true
      )
    ])
    error_message = "subnets has a range outside vpc_cidr ${var.vpc_cidr}: choose every subnet inside the VPC."
  }

  validation {
    condition = alltrue(flatten([
      for i, cidr in values(var.subnets) : [
        for j, other in values(var.subnets) : try(
          cidrhost("${split("/", cidr)[0]}/${min(split("/", cidr)[1], split("/", other)[1])}", 0) !=
          cidrhost("${split("/", other)[0]}/${min(split("/", cidr)[1], split("/", other)[1])}", 0),
          true
        ) if i < j
      ]
    ]))
    error_message = "subnets has ranges that overlap: ${join(", ", [for name, cidr in var.subnets : "${name} ${cidr}"])}; give each subnet its own."
  }
}

variable "availability_zones" {
  description = "Names of the availability zones a, b and, for Redshift Serverless, c, set before the first deployment; null: the first that the account has. Redshift Serverless does not support every zone."
  type        = list(string)
  default     = null

  validation {
    condition     = var.availability_zones == null || try(length(var.availability_zones) >= (var.redshift_mode == "serverless" ? 3 : 2), false)
    error_message = "availability_zones has too few names: give two, and three for Redshift Serverless."
  }

  validation {
    condition     = var.availability_zones == null || try(alltrue([for zone in var.availability_zones : can(regex("^${var.region}[a-z]$", zone))]), false)
    error_message = "availability_zones has a name that is no zone of ${var.region}: use names such as ${var.region}a."
  }

  # AWS's guide to Redshift Serverless: three zones, and two in Northern California, which has no more.
  validation {
    condition = var.availability_zones == null || try(
      var.availability_zones[0] != var.availability_zones[1] &&
      (var.region == "us-west-1" || length(distinct(var.availability_zones)) == length(var.availability_zones)),
      false
    )
    error_message = "availability_zones has a zone twice: give different ones (in us-west-1 the third may be one of the two)."
  }
}

variable "egress" {
  description = "How private subnets reach AWS: single_nat (cheapest), nat_per_zone (the zone that is left keeps its way) or interface_endpoints (no way to the internet)."
  type        = string
  default     = "single_nat"

  validation {
    condition     = contains(["single_nat", "nat_per_zone", "interface_endpoints"], var.egress)
    error_message = "egress is \"${var.egress}\": use single_nat, nat_per_zone or interface_endpoints."
  }
}
