# Starts a script with the parameters in a JSON file, by splatting: no text of a parameter is ever a piece of a command.
param([string] $KilnScript, [string] $KilnParameters)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

# ConvertFrom-Json takes texts that look like dates for dates: so types are kept here, one by one.
function ConvertFrom-Element([System.Text.Json.JsonElement] $Element) {
    switch ($Element.ValueKind) {
        'Object' {
            $table = [ordered]@{}
            foreach ($property in $Element.EnumerateObject()) { $table[$property.Name] = ConvertFrom-Element $property.Value }
            return $table
        }
        'Array' {
            $list = [System.Collections.Generic.List[object]]::new()
            foreach ($item in $Element.EnumerateArray()) { $list.Add((ConvertFrom-Element $item)) }
            # The comma keeps a list of one, and an empty one, a list.
            return , $list.ToArray()
        }
        'String' { return $Element.GetString() }
        'Number' {
            $whole = [long] 0
            if ($Element.TryGetInt64([ref] $whole)) { return $whole }
            $text = $Element.GetRawText()
            if ($text -match '^-?[0-9]+$') { return [System.Numerics.BigInteger]::Parse($text, [cultureinfo]::InvariantCulture) }
            return $Element.GetDouble()
        }
        'True' { return $true }
        'False' { return $false }
        default { return $null }
    }
}

$kilnDocument = [System.Text.Json.JsonDocument]::Parse([System.IO.File]::ReadAllText($KilnParameters))
$kilnSplat = @{}
foreach ($kilnProperty in $kilnDocument.RootElement.EnumerateObject()) {
    $kilnSplat[$kilnProperty.Name] = ConvertFrom-Element $kilnProperty.Value
}
$kilnDocument.Dispose()

# Exit codes are those of `pwsh -File`: N of `exit N`, 1 of an error that nobody caught, and 0 of a script that came to its end,
# whatever a program before that returned. One is added: an error that is a program's own exit code ends with that code.
$global:LASTEXITCODE = 0
try {
    & $KilnScript @kilnSplat
    # After `exit N` of a script that is called so, $? is false unless N is 0, and $LASTEXITCODE is N. A program that failed on
    # the way leaves its code in $LASTEXITCODE, too, but $? is true.
    $kilnReachedEnd = $?
}
catch {
    [Console]::Error.WriteLine(($_ | Out-String).TrimEnd())
    [Console]::Error.WriteLine($_.ScriptStackTrace)
    $kilnError = $_.Exception
    if ($kilnError -is [System.Management.Automation.ActionPreferenceStopException]) { $kilnError = $kilnError.ErrorRecord.Exception }
    if ($kilnError -is [System.Management.Automation.NativeCommandExitException] -and $kilnError.ExitCode -ne 0) { exit $kilnError.ExitCode }
    exit 1
}
if ($kilnReachedEnd) { exit 0 }
exit $global:LASTEXITCODE
