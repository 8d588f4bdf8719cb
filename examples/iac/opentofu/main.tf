# A file outside, and outputs of every type of JSON.

terraform {
  required_version = ">= 1.8"
  required_providers {
    local = {
      source  = "hashicorp/local"
      version = "2.9.0"
    }
  }
}

resource "local_file" "greeting" {
  filename        = "${var.folder}/greeting.txt"
  content         = var.content
  file_permission = "0644"
}

resource "terraform_data" "echo" {
  input = var.text
}

# A run can fail half-way: what came before it stays, and is in the outputs.
resource "local_file" "refused" {
  count    = var.refuse ? 1 : 0
  filename = "/proc/nowhere/refused.txt"
  content  = "never"

  depends_on = [local_file.greeting]
}

resource "terraform_data" "slow" {
  count = var.delay_seconds > 0 ? 1 : 0

  provisioner "local-exec" {
    command = "sleep ${var.delay_seconds}"
  }

  depends_on = [local_file.greeting]
}
