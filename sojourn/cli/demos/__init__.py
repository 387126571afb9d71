"""What `sojourn demo` does.

`shop` plays the other systems of a shop, in a process of its own. `cart_story` and `purchases_story` say what
happens to the customers; `cart_expected` and `purchases_expected` work out from that, by themselves and without
any code of the engine, what must come of it. `cart` and `purchases` run the two examples and compare.
"""
