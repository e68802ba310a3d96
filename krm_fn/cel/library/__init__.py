"""
The functions of kro's CEL environment. One module a subject; each function is one declared `Overload` record.

`index` says which module declares a name, so that a render imports only the modules that its expressions call.
"""
