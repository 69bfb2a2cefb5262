"""An AWS account made of moto and a proxy that adds what moto lacks."""
