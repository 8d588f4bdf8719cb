# Greets by the parameter `name`, and leaves the greeting as an artifact. The least that a job of PowerShell does.
param([string] $name = 'world')

$greeting = "Hello, $name."
Set-Content -Path (Join-Path $env:ARTIFACTS_DIR 'greeting.txt') -Value $greeting
$greeting
