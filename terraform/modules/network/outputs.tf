output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Its address range."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "One per zone, in the order of `zones`: nodes, Redis and Kafka."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
  # A node that starts before its way out exists never joins the cluster.
  depends_on = [aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.s3]
}

output "public_subnet_ids" {
  description = "One per zone, in the order of `zones`: load balancers."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
  depends_on  = [aws_route.internet, aws_route_table_association.public]
}
