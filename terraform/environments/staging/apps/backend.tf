terraform {
  backend "s3" {
    bucket       = "tollgate-staging-state" # yours: bucket names are one namespace for all of AWS
    key          = "staging/apps.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true # S3 holds the lock itself
  }
}
