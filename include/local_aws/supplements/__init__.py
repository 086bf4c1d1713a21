"""What moto lacks for Terraform to create the whole stack here: each service's own file says what and why.

`front` puts it all in place: services that moto does not have answer before moto, the others are moto's
classes with more operations.
"""

from local_aws.supplements.front import SupplementedMoto

__all__ = ["SupplementedMoto"]
