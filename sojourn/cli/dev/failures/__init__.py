"""What goes wrong in the developer's own code, from the worker in which it happens to the terminal of `sojourn dev`.

`Watching`, in the worker, sees workflow tasks and functions fail, and writes a line of JSON for each to a pipe that
it inherited. `Telling`, in `dev`, reads the lines and says them: each mistake once, however often it is met.
"""
