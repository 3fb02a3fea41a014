"""The sample workload: says which region answered, how that region is, and counts visits in a shared database.

Standard library only, so that it runs on a plain Python image from a ConfigMap. It lies inside the chart because Helm
reads no file outside, and Flux packs no symbolic link.
"""
