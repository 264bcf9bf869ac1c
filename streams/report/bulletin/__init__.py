"""The information booklet for the public: figures through disclosure control, pictures, definitions, and what they do not say."""
