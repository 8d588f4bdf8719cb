output "file_name" {
  value = local_file.greeting.filename
}

output "echo" {
  value = var.echo
}

output "text" {
  value = terraform_data.echo.output
}

output "integer" {
  value = 123456789012
}

output "fraction" {
  value = 0.125
}

output "flag" {
  value = true
}

output "list" {
  value = [1, "two", [3], { four = 4 }]
}

output "object" {
  value = { nested = { empty = {}, none = [] } }
}

output "nothing" {
  value = null
}

output "secret" {
  value     = var.secret
  sensitive = true
}
