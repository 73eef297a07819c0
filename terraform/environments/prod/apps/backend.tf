terraform {
  backend "s3" {
    bucket       = "tollgate-prod-state" # yours: bucket names are one namespace for all of AWS
    key          = "prod/apps.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true # S3 holds the lock itself
  }
}
