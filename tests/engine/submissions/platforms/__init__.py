"""What platforms write when they give a class's submissions, made after the platforms' own sources and manuals.

Each module was written from the files that it names and from nothing of ours: none knows how a download is read here.
A writer gives names and bytes; `folder` and `zipped` put them somewhere.
"""
