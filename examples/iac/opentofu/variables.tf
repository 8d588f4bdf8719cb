variable "folder" {
  description = "Where the file goes: beside the request of a module's container."
  type        = string
  default     = "/workspace/notes"
}

variable "content" {
  description = "What the file holds."
  type        = string
  default     = "hello"
}

variable "echo" {
  description = "Any value: it comes back as an output."
  type        = any
  default     = null
}

variable "text" {
  description = "A text: it comes back as an output."
  type        = string
  default     = "text with \"quotes\", ünïcode and\nlines"
}

variable "secret" {
  description = "A secret: it comes back as a sensitive output."
  type        = string
  default     = "a secret by default"
  sensitive   = true
}

variable "refuse" {
  description = "Whether the run shall fail half-way."
  type        = bool
  default     = false
}

variable "delay_seconds" {
  description = "How long the run takes at least, for interruptions."
  type        = number
  default     = 0
}
